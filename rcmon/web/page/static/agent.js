// The page of one agent.

import "./main.js";
import "./acknowledge.js";
import "./copy.js";

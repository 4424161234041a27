// The page of one agent.

import "./acknowledge.js";
import "./copy.js";

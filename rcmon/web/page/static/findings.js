// The page of findings.

import "./main.js";
import "./acknowledge.js";

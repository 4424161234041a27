// The page of one site.

import "./main.js";
import "./acknowledge.js";
import "./copy.js";
import * as chart from "./chart.js";
import * as override from "./override.js";

chart.start();
override.start();

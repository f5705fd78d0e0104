// A page's way in: the engine runs in a worker, and each bench's module comes when it is wanted.

import { mountBenches } from "./mount.js";

mountBenches((name) => import(`./${name}.js`));

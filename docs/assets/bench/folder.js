// The way in of a page that was opened from a folder, where browsers start no workers and load no modules: everything
// is one script, and the engine runs in the page.

import { playAudit } from "./audit.js";
import { answerInPage } from "./client.js";
import { playSteer } from "./dial.js";
import { ANSWERS } from "./engine.js";
import { playFeatures } from "./features.js";
import { playForecast } from "./forecast.js";
import { playHeads } from "./heads.js";
import { mountBenches } from "./mount.js";
import { playHome, playWorld } from "./play.js";
import { playSwap } from "./swap.js";
import { loadSteps, playTime } from "./time.js";
import { playWrite } from "./write.js";

const builders = { playAudit, playSteer, playFeatures, playForecast, playHeads, playHome, playWorld, playSwap, playTime, playWrite };

answerInPage(ANSWERS);
mountBenches(async () => ({ ...builders, loadSteps }));

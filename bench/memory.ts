// A process that does nothing but rebuild the statistics of one file, and tells how much memory it ever held.

import { openSubject } from "./subject.ts";

const megabytes = () => process.resourceUsage().maxRSS / 1_000;

const subject = await openSubject(process.argv[2] as string);
const opened = megabytes();
const begun = performance.now();
await subject.rebuildStatistics();
const seconds = (performance.now() - begun) / 1_000;
await subject.close();
process.stdout.write(JSON.stringify({ opened, peak: megabytes(), seconds }));

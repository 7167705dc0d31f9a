package harness

import "time"

// Patience is how long a test waits for what must happen sooner or later, a
// daemon that answers or a queue that is empty: so long that only what never
// happens fails, however busy the machine is. What a test measures is another
// matter.
const Patience = 3 * time.Minute

package uploads

import (
	"runtime/debug"
	"sync"
)

// gcPercent is how much garbage a process lets grow while it has a roster in its hands, in percent of what is in use. A server that works
// on small things lets four times as much grow, because it has little in use; of a roster of 100,000 rows that would be 300 MiB.
const gcPercent = 50

// leaning counts the rosters that are in hand: the first takes the setting, the last gives it back.
var leaning struct {
	sync.Mutex
	rosters int
	before  int
}

// lean has the process collect its garbage closely until done is called.
func lean() (done func()) {
	leaning.Lock()
	defer leaning.Unlock()
	if leaning.rosters++; leaning.rosters == 1 {
		if leaning.before = debug.SetGCPercent(gcPercent); leaning.before >= 0 && leaning.before < gcPercent {
			debug.SetGCPercent(leaning.before) // whoever runs it asked for less
		}
	}
	return func() {
		leaning.Lock()
		defer leaning.Unlock()
		if leaning.rosters--; leaning.rosters == 0 {
			debug.SetGCPercent(leaning.before)
		}
	}
}

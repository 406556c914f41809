//go:build failpoints

// Package failpoint names the places at which a test ends the process as the machine would: at once, with nothing said. It
// does nothing unless it is compiled with the tag failpoints, which only tests do.
package failpoint

import (
	"os"
	"syscall"
	"time"
)

// Here ends the process with SIGKILL where CURSUS_FAILPOINT names this place.
func Here(place string) {
	if os.Getenv("CURSUS_FAILPOINT") != place {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	time.Sleep(time.Hour) // the signal is on its way
}

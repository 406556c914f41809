//go:build unix

package stripesandbox

import (
	"os"
	"syscall"
)

// lockFile keeps a second process away from the same book. The kernel drops the lock when the process ends.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

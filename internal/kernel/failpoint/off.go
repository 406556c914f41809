//go:build !failpoints

// Package failpoint names the places at which a test ends the process as the machine would: at once, with nothing said. It
// does nothing unless it is compiled with the tag failpoints, which only tests do.
package failpoint

// Here names a place.
func Here(string) {}

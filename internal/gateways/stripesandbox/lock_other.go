//go:build !unix

package stripesandbox

import "os"

// lockFile is left to the operator where files cannot be locked in one portable way.
func lockFile(*os.File) error { return nil }

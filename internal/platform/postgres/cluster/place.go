package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
)

// elsewhere names, in a folder in which no server can run, the folder where its server runs instead. A copy of Cursus in the home of
// root is such a folder: the user that PostgreSQL runs as cannot enter it.
const elsewhere = "server-is-in"

// shelter is where such servers run: a folder that only its owner writes to, whose path is short. A test has its own.
var shelter = func() (string, error) {
	if os.Getuid() == 0 {
		return "/var/lib/cursus", nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "cursus"), err
}

// place says where the server of a data folder runs: in it, or, where that cannot be, in a folder of its own in the shelter, which the data
// folder remembers. A data folder that is removed so begins anew.
func place(dir string) (string, error) {
	if kept, err := os.ReadFile(filepath.Join(dir, elsewhere)); err == nil { //nolint:gosec // a file of our own folder
		return strings.TrimSpace(string(kept)), nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // the server's user has to pass through
		return "", err
	}
	unfit := fit(dir)
	if unfit == nil {
		return dir, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "pg", "PG_VERSION")); err == nil {
		return "", unfit // it ran here, and an empty one elsewhere is no substitute
	}
	base, err := shelter()
	if err != nil {
		return "", errors.Join(unfit, err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(base, 0o755), os.Chmod(base, 0o755)); err != nil { //nolint:gosec // the server's user has to pass through
		return "", errors.Join(unfit, err)
	}
	other := filepath.Join(base, strings.ToLower(ident.Secret(5)))
	if err := fit(other); err != nil {
		return "", unfit
	}
	link, err := os.OpenFile(filepath.Join(dir, elsewhere), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // an address, and no secret
	if errors.Is(err, os.ErrExist) {
		return place(dir) // another process was first
	}
	if err != nil {
		return "", err
	}
	_, err = link.WriteString(other + "\n")
	return other, errors.Join(err, link.Close())
}

// fit says why a server cannot run in a folder.
func fit(dir string) error {
	if len(socketIn(dir)) > maxSocketPath {
		return fault.New(fault.Invalid, "data-folder-too-long", "The path of the data folder is too long for a unix socket; choose a shorter one (CURSUS_DATA_DIR): "+dir)
	}
	if os.Getuid() != 0 {
		return nil
	}
	u, err := unprivileged()
	if err != nil {
		return err
	}
	for parent := filepath.Dir(dir); parent != "/"; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fault.New(fault.Unavailable, "data-folder-closed",
				fmt.Sprintf("PostgreSQL runs as %s, who cannot enter %s; choose a data folder elsewhere (CURSUS_DATA_DIR).", u.Username, parent))
		}
	}
	return nil
}

// unprivileged is who the server runs as where we are root.
func unprivileged() (*user.User, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "no-unprivileged-user", "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody.")
	}
	return u, nil
}

// prepareFolder makes the folder and, as root, gives it to the user that the server will run as.
func (c *Cluster) prepareFolder() (*syscall.Credential, error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := unprivileged()
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(c.dir, uid, gid) //nolint:gosec // ids of the system
}

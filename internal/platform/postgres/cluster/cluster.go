// Package cluster runs a private PostgreSQL server in a folder, so that a newcomer needs no database administrator.
//
// The server listens on a unix socket only. As root it drops to an unprivileged user, because PostgreSQL refuses to run as
// root. A folder whose server was killed is recovered by the next Start; a folder whose server runs is adopted. Where none can run in
// the folder, because its path is too long for a socket or closed to that user, it runs in a folder of its own elsewhere.
package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cursus/internal/kernel/fault"
)

// ErrNotInstalled says in one line what to install.
var ErrNotInstalled = fault.New(fault.Unavailable, "postgresql-missing",
	"PostgreSQL's server is not on this machine: install it (Debian and Ubuntu: sudo apt-get install postgresql; macOS: brew install postgresql@17) or set PG_BIN to the folder of initdb.")

// maxSocketPath is what the kernel allows for a unix socket, without the final zero.
const maxSocketPath = 107

// Options of Start.
type Options struct {
	BinDir   string            // folder of initdb and postgres; empty: look for it
	Settings map[string]string // server settings, such as fsync=off for tests
}

// Cluster is a running private server.
type Cluster struct {
	dir, bin string
	done     chan struct{}
	cmd      *exec.Cmd
	users    *os.File // locked by every process that uses the server, until it stops or dies
}

// FindBin looks for the server's programs: the given folder, PATH, and where packages put them.
func FindBin(given string) (string, error) {
	candidates := []string{given}
	if p, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			candidates = append(candidates, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/latest/bin", "/usr/local/pgsql/bin",
	} {
		found, _ := filepath.Glob(pattern)
		sort.Sort(sort.Reverse(sort.StringSlice(found)))
		candidates = append(candidates, found...)
	}
	for _, c := range candidates {
		if c == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(c, "initdb")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(c, "postgres")); err == nil {
			return c, nil
		}
	}
	return "", ErrNotInstalled
}

// Start makes the folder's server run and waits until it answers.
func Start(ctx context.Context, dir string, o Options) (*Cluster, error) {
	bin, err := FindBin(o.BinDir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if dir, err = place(dir); err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin}
	cred, err := c.prepareFolder()
	if err != nil {
		return nil, err
	}
	alone, err := c.lock("start.lock", syscall.LOCK_EX) // of two that start at once, one waits and finds the server there
	if err != nil {
		return nil, err
	}
	defer func() { _ = alone.Close() }()
	if c.users, err = c.lock("users.lock", syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if c.running() {
		return c, c.wait(ctx)
	}
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := c.init(ctx, cred); err != nil {
			return nil, err
		}
	}
	var tries int
	for {
		from, err := c.launch(cred, o.Settings)
		if err != nil {
			return nil, err
		}
		err = c.wait(ctx)
		if tries++; !errors.Is(err, errEnded) || !c.heirs(from) || tries == patience {
			return c, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// patience is how often a server is started, every tenth of a second, until the children of one that was killed have done what they are at.
const patience = 300

var errEnded = errors.New("the private PostgreSQL ended at its start")

// heirs says whether a server ended at its start because children of a killed one are still at work. from is where the log was then.
func (c *Cluster) heirs(from int64) bool {
	log, err := os.ReadFile(c.logFile())
	return err == nil && from <= int64(len(log)) && bytes.Contains(log[from:], []byte("pre-existing shared memory block"))
}

// lock opens a file of the folder and locks it; the kernel lets go of the lock when the file is closed or the process dies.
func (c *Cluster) lock(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (c *Cluster) data() string    { return filepath.Join(c.dir, "pg") }
func (c *Cluster) logFile() string { return filepath.Join(c.dir, "postgres.log") }
func socketIn(dir string) string   { return filepath.Join(dir, ".s.PGSQL.5432") }

// init makes an empty server. Texts are compared byte by byte, which is the order that C.UTF-8 says too, but without asking the system at each step in
// an index.
func (c *Cluster) init(ctx context.Context, cred *syscall.Credential) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", c.data(), "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C", "--no-sync")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(c.data()) // half a folder would be taken for a whole one
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// launch starts the server and tells where its log goes on.
func (c *Cluster) launch(cred *syscall.Credential, settings map[string]string) (from int64, err error) {
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	if from, err = log.Seek(0, io.SeekEnd); err != nil {
		return 0, err
	}
	args := []string{"-D", c.data(), "-k", c.dir, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0777",
		"-c", "TimeZone=UTC", "-c", "log_min_messages=warning"}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	c.cmd = exec.Command(filepath.Join(c.bin, "postgres"), args...)
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = c.dir, log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true} // its own group: the terminal's Ctrl-C is for us
	if err := c.cmd.Start(); err != nil {
		return 0, err
	}
	c.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(c.cmd, c.done)
	return from, nil
}

// pid is the process that postmaster.pid names, 0 when there is none.
func (c *Cluster) pid() int {
	b, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// running says whether the process that postmaster.pid names lives. After kill -9 the file stays behind and the server
// itself clears it at the next start.
func (c *Cluster) running() bool {
	pid := c.pid()
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func (c *Cluster) wait(ctx context.Context) error {
	ready := filepath.Join(c.bin, "pg_isready")
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	for {
		if exec.CommandContext(ctx, ready, "-q", "-h", c.dir, "-U", "postgres").Run() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("the private PostgreSQL did not answer in 60 s; see %s", c.logFile())
		case <-c.ended():
			return fmt.Errorf("%w; see %s", errEnded, c.logFile())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ended never fires for an adopted server.
func (c *Cluster) ended() <-chan struct{} { return c.done }

// OwnerDSN is the address of a database of this server for its owner.
func (c *Cluster) OwnerDSN(database string) string {
	q := url.Values{"host": {c.dir}, "sslmode": {"disable"}}
	return "postgres://postgres@/" + url.PathEscape(database) + "?" + q.Encode()
}

// Stop ends the use of the server. The last process that uses it asks it to end its connections, write its checkpoint and
// leave, and waits for it. After a kill -9 of the last one the server stays, and the next Start takes it over.
func (c *Cluster) Stop() error {
	alone, err := c.lock("start.lock", syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { _ = alone.Close() }()
	last := syscall.Flock(int(c.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	defer func() { _ = c.users.Close() }()
	if !last {
		return nil
	}
	pid := c.pid()
	if pid <= 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for range 3000 {
		if !c.running() {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the private PostgreSQL did not stop in 30 s")
}

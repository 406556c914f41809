package cluster

import "syscall"

// ownGroup keeps the terminal's Ctrl-C from the server and, unless it is to stay, ends it with its parent.
func ownGroup(cred *syscall.Credential, dieWithParent bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Credential: cred, Setpgid: true}
	if dieWithParent {
		a.Pdeathsig = syscall.SIGINT
	}
	return a
}

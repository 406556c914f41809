//go:build !linux

package cluster

import "syscall"

// ownGroup keeps the terminal's Ctrl-C from the server; only Linux can also end it with its parent.
func ownGroup(cred *syscall.Credential, _ bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true}
}

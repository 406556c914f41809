package main

import (
	"os/exec"
	"syscall"
)

// outlive has the child end when we do, however we end.
func outlive(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

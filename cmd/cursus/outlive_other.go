//go:build !linux

package main

import "os/exec"

func outlive(*exec.Cmd) {}

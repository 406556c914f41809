// Package mails holds the texts of the mails: one file per mail and language; its first line is the subject.
package mails

import "embed"

// FS holds sign_in.en.txt and the like.
//
//go:embed *.txt
var FS embed.FS

// Package migrations embeds the forward-only SQL of every room, one PostgreSQL schema per room.
package migrations

import "embed"

// Files are the migrations in goose's format, applied in the order of their numbers.
//
//go:embed *.sql
var Files embed.FS

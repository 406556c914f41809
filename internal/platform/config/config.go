// Package config is the only room that reads the environment.
package config

import "github.com/caarlos0/env/v11"

// Config is every setting. Its tags are the table in docs/settings.md.
type Config struct {
	DatabaseURL string `env:"CURSUS_DATABASE_URL" doc:"postgres:// address of the database for its owner; empty: a private server in the data folder"`
	DataDir     string `env:"CURSUS_DATA_DIR" envDefault:".cursus" doc:"folder of the private server"`
	PGBin       string `env:"PG_BIN" doc:"folder of initdb and postgres, when they are not where they are looked for"`
}

// Load reads the environment.
func Load() (Config, error) { return env.ParseAs[Config]() }

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"cursus/internal/domain/exchange"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// ExportCatalogue writes a collection as a file, json or csv. left names the programs that reach into another collection.
func (h *House) ExportCatalogue(ctx context.Context, collection, format string) (content []byte, name string, left []string, err error) {
	if format != "json" && format != "csv" {
		return nil, "", nil, exchange.ErrForm
	}
	var d exchange.Document
	if err := h.DB.View(ctx, "export a catalogue", func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, left, err = exchange.ExportTx(ctx, tx, collection)
		return err
	}); err != nil {
		return nil, "", nil, err
	}
	if format == "csv" {
		content, err = d.CSV()
		return content, d.Collection.Key + ".zip", left, err
	}
	content, err = d.JSON()
	return content, d.Collection.Key + ".json", left, err
}

// ExportCatalogue writes a collection as a file.
func (r Rooms) ExportCatalogue(ctx context.Context, _ api.Principal, collection, format string) (content []byte, name string, err error) {
	content, name, _, err = r.h.ExportCatalogue(ctx, collection, format)
	return content, name, err
}

// ImportCatalogue takes a file in, once per key.
func (r Rooms) ImportCatalogue(ctx context.Context, who api.Principal, key string, content []byte, dryRun bool) (out exchange.Result, err error) {
	if dryRun {
		return exchange.Import(ctx, r.h.DB, content, true)
	}
	file, err := exchange.Read(content)
	if err != nil {
		return out, err
	}
	sum := sha256.Sum256(content)
	reply, _, err := r.replies.Do(ctx, who.Actor, key, "importCatalogue "+hex.EncodeToString(sum[:]), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		done, err := exchange.ImportTx(ctx, tx, file)
		if err != nil {
			return idempotency.Reply{}, err
		}
		body, err := json.Marshal(done)
		return idempotency.Reply{Status: http.StatusOK, Body: body}, err
	})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(reply.Body, &out)
}

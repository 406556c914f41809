package api

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
)

// AccessRooms is what the API asks of the house about the systems that speak to it.
type AccessRooms interface {
	PartnerRoleRooms
	Clients(ctx context.Context, who Principal, organisation string, p page.Request) (all []identity.Client, next string, err error)
	Client(ctx context.Context, who Principal, id string) (identity.Client, error)
	CreateClient(ctx context.Context, who Principal, key string, n identity.NewClient) (identity.Client, error)
	PutClient(ctx context.Context, who Principal, id string, n identity.NewClient, version int) (identity.Client, error)
	EndClient(ctx context.Context, who Principal, id string) error
	// CreateKey gives the secret too, which nobody can ask for again.
	CreateKey(ctx context.Context, who Principal, client string, life time.Duration) (k identity.Key, secret string, err error)
	EndKey(ctx context.Context, who Principal, client, key string) error
	// GrantToken gives a token for a client's id and one of its keys. public
	GrantToken(ctx context.Context, client, key string, scopes []string) (token string, may []string, life time.Duration, err error)
}

func (h handlers) ListClients(ctx context.Context, r server.ListClientsRequestObject) (server.ListClientsResponseObject, error) {
	rows, next, err := listed[contract.APIClient](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]identity.Client, string, error) {
		return h.rooms.Clients(ctx, callerOf(ctx), value(r.Params.Organisation), p)
	})
	return server.ListClients200JSONResponse{Clients: rows, NextCursor: next}, err
}

func (h handlers) GetClient(ctx context.Context, r server.GetClientRequestObject) (server.GetClientResponseObject, error) {
	c, err := h.rooms.Client(ctx, callerOf(ctx), r.Client)
	out, err := answer[contract.APIClient](c, err)
	return server.GetClient200JSONResponse{Body: out, Headers: server.GetClient200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) CreateClient(ctx context.Context, r server.CreateClientRequestObject) (server.CreateClientResponseObject, error) {
	n, err := as[identity.NewClient](r.Body)
	if err != nil {
		return nil, err
	}
	c, err := h.rooms.CreateClient(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	out, err := answer[contract.APIClient](c, err)
	return server.CreateClient201JSONResponse{Body: out, Headers: server.CreateClient201ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) PutClient(ctx context.Context, r server.PutClientRequestObject) (server.PutClientResponseObject, error) {
	out, now, err := put[contract.APIClient](r.Params.IfMatch, r.Body, func(n identity.NewClient, version int) (identity.Client, error) {
		return h.rooms.PutClient(ctx, callerOf(ctx), r.Client, n, version)
	})
	return server.PutClient200JSONResponse{Body: out, Headers: server.PutClient200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) EndClient(ctx context.Context, r server.EndClientRequestObject) (server.EndClientResponseObject, error) {
	return server.EndClient204Response{}, h.rooms.EndClient(ctx, callerOf(ctx), r.Client)
}

func (h handlers) CreateKey(ctx context.Context, r server.CreateKeyRequestObject) (server.CreateKeyResponseObject, error) {
	life := identity.KeyLife
	if r.Body.Days != nil {
		life = time.Duration(*r.Body.Days) * 24 * time.Hour
	}
	k, secret, err := h.rooms.CreateKey(ctx, callerOf(ctx), r.Client, life)
	out, err := answer[contract.APIKey](k, err)
	return server.CreateKey201JSONResponse{Key: out, Secret: secret}, err
}

func (h handlers) EndKey(ctx context.Context, r server.EndKeyRequestObject) (server.EndKeyResponseObject, error) {
	return server.EndKey204Response{}, h.rooms.EndKey(ctx, callerOf(ctx), r.Client, r.Key)
}

// GrantToken answers in the words of RFC 6749, which libraries of OAuth know; what stands in the form is read here, because they send
// members that we do not know and leave out those that they say in the header.
func (h handlers) GrantToken(ctx context.Context, _ server.GrantTokenRequestObject) (server.GrantTokenResponseObject, error) {
	form, err := url.ParseQuery(string(callOf(ctx).body))
	if err != nil {
		return nil, errTokenRequest.Detailf("The body is no form.")
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret", "scope"} {
		if len(form[name]) > 1 {
			return nil, errTokenRequest.Detailf("%s stands there twice.", name)
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return nil, errGrantType
	}
	client, key := form.Get("client_id"), form.Get("client_secret")
	if id, secret, ok := basic(callOf(ctx).authorization); ok {
		if key != "" || client != "" && client != id {
			return nil, errTokenRequest.Detailf("Who asks stands in the header or in the form, not in both.")
		}
		client, key = id, secret
	}
	token, may, life, err := h.rooms.GrantToken(ctx, client, key, strings.Fields(form.Get("scope")))
	switch f := fault.From(err); {
	case err == nil:
		return server.GrantToken200JSONResponse{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(life / time.Second), Scope: strings.Join(may, " ")}, nil
	case f.Code == identity.ErrScope.Code:
		return nil, errTokenScope.Because(err)
	case f.Kind == fault.Unauthenticated || f.Kind == fault.Forbidden: // which of these it is helps nobody who may know
		return nil, errTokenClient.Because(err)
	}
	return nil, err
}

// basic reads the credentials of a header as RFC 6749 writes them: each encoded as in a form.
func basic(header string) (id, secret string, ok bool) {
	scheme, code, _ := strings.Cut(header, " ")
	raw, err := base64.StdEncoding.DecodeString(code)
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	if !ok {
		return "", "", false
	}
	if id, err = url.QueryUnescape(id); err == nil {
		secret, err = url.QueryUnescape(secret)
	}
	return id, secret, err == nil
}

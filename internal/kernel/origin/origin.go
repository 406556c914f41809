// Package origin carries from where something is asked.
package origin

import "context"

type key struct{}

// With notes the network address from which something is asked.
func With(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, key{}, address)
}

// Of gives that address; empty where nobody noted one: the house itself, or its command line.
func Of(ctx context.Context) string {
	address, _ := ctx.Value(key{}).(string)
	return address
}

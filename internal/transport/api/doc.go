// Package api serves openapi.yaml: it lets in who may, reads what was sent strictly, asks the rooms and answers.
package api

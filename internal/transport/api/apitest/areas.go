package apitest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Areas are the tags of operations that are tried on the whole house alone: their rooms' own types go through the door, so a fake
// would only repeat them.
var Areas = []string{"Authoring", "Programs", "Offers", "Prices", "Sales", "Accounts", "Access", "Trace", "Privacy", "Badges", "Certification", "Integration", "Outreach", "Cohorts", "Proctoring", "Confidence", "Labs", "Analytics", "Surveys"}

// WithoutAreas gives the contract without the operations of Areas.
func WithoutAreas(contract []byte) ([]byte, error) {
	var document map[string]any
	if err := yaml.Unmarshal(contract, &document); err != nil {
		return nil, err
	}
	paths, _ := document["paths"].(map[string]any)
	for path, item := range paths {
		operations, _ := item.(map[string]any)
		left := 0
		for method, op := range operations {
			if o, ok := op.(map[string]any); ok && o["operationId"] != nil {
				if tags, _ := o["tags"].([]any); len(tags) > 0 && slices.Contains(Areas, tags[0].(string)) {
					delete(operations, method)
					continue
				}
				left++
			}
		}
		if left == 0 {
			delete(paths, path)
		}
	}
	return yaml.Marshal(document)
}

// NeverAnswered lists the operations of Areas, with each documented status below 300 that no answer had.
func (w *Walker) NeverAnswered() (all map[string][]int) {
	all = map[string][]int{}
	for _, o := range w.Operations() {
		if len(o.op.Tags) == 0 || !slices.Contains(Areas, o.op.Tags[0]) {
			continue
		}
		for _, s := range o.Statuses() {
			if s < 300 && w.Seen(o.ID, s) == 0 {
				all[o.ID] = append(all[o.ID], s)
			}
		}
	}
	return all
}

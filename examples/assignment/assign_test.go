package assignment

import (
	"encoding/json"
	"os"
	"testing"
)

func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../../tests/fixtures/oracles/assignment.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Bucket, Assign []struct {
			Salt, Unit, Variant string
			Bucket              uint32
			BasisPoints         uint32 `json:"basis_points"`
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, row := range append(vectors.Bucket, vectors.Assign...) {
		if found := bucket(row.Salt, row.Unit); found != row.Bucket {
			t.Errorf("%q: bucket %d, expected %d", row.Unit, found, row.Bucket)
		}
	}
	for _, row := range vectors.Assign {
		entry := Entry{row.Salt, row.BasisPoints, "control", "treatment"}
		if found := Version(entry, row.Unit); found != row.Variant {
			t.Errorf("%q: %s, expected %s", row.Unit, found, row.Variant)
		}
	}
	if len(vectors.Bucket) != 30 || len(vectors.Assign) != 92 {
		t.Errorf("%d and %d vectors", len(vectors.Bucket), len(vectors.Assign))
	}
}

// Package assignment assigns a unit to a variant of a rollout, as promptgate does (gb2).
package assignment

import (
	"strconv"
	"unicode/utf16"
)

func fnv1a32(text string) uint32 {
	value := uint32(0x811c9dc5)
	for _, unit := range utf16.Encode([]rune(text)) {
		value = (value ^ uint32(unit)) * 0x01000193
	}
	return value
}

// bucket returns the bucket of a unit, in basis points.
func bucket(salt, unit string) uint32 {
	return fnv1a32(strconv.FormatUint(uint64(fnv1a32(salt+unit)), 10)) % 10_000
}

// Entry is prompts[NAME] of releases.json.
type Entry struct {
	Salt        string `json:"salt"`
	BasisPoints uint32 `json:"basis_points"`
	Control     string `json:"control"`
	Treatment   string `json:"treatment"`
}

// Version returns the version of a unit.
func Version(entry Entry, unit string) string {
	if unit != "" && bucket(entry.Salt, unit) < entry.BasisPoints {
		return entry.Treatment
	}
	return entry.Control
}

//go:build race

package simulate

// usual is how many seeds a run of the tests has. Nothing in them is concurrent:
// with the race detector they only take longer.
const usual = 200

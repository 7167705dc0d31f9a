//go:build !race

package simulate

// usual is how many seeds a run of the tests has.
const usual = 2000

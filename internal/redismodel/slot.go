package redismodel

import "strings"

const slots = 16384

// slotOf gives the slot of a key in a cluster.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
func slotOf(name string) int {
	if _, rest, ok := strings.Cut(name, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			name = tag
		}
	}
	var crc uint16 // CRC-16/XMODEM
	for i := range len(name) {
		crc ^= uint16(name[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % slots
}

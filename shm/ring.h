// The single-producer, single-consumer byte rings that every lane, the deliveries and the answers are.
//
// Cursors are bytes counted from the session's birth, never wrapped: position in the data = cursor &
// (capacity-1). The data is mapped twice, so that a record is contiguous wherever it begins. A record starts
// at a multiple of eight and begins with its size in bytes as u32, this head included and the padding behind
// it not.
//
//   head (freed by the reader)  <=  cursor (reader's own)  <=  tail (published)  <=  pending (writer's own)
//
// Bytes at or after `tail` do not exist for the reader. The writer of Up's rings is the client and their
// reader is the untrusting RingReader; Down's rings are written by the engine and read by a
// TrustingRingReader.
#pragma once

#include "shm/ring_reader.h"
#include "shm/ring_writer.h"
#include "shm/trusting_ring_reader.h"

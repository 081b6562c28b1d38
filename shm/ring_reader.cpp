#include "shm/ring_reader.h"

namespace pqd {

std::string_view violation_text(RingViolation violation) {
  switch (violation) {
    case RingViolation::kNone:
      return "no violation";
    case RingViolation::kTailMisaligned:
      return "the tail is not a multiple of eight";
    case RingViolation::kTailBackwards:
      return "the tail went backwards";
    case RingViolation::kTailBeyondCapacity:
      return "the tail is further ahead than the ring is long";
    case RingViolation::kRecordTooSmall:
      return "a record is shorter than its head";
    case RingViolation::kRecordTooLarge:
      return "a record is longer than half the ring";
    case RingViolation::kRecordBeyondTail:
      return "a record reaches beyond the tail";
  }
  return "unknown violation";
}

}  // namespace pqd

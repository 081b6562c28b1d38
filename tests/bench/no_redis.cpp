// In the place of redis.cpp where hiredis is not installed.
#include "tests/bench/redis.h"

namespace pqd::bench {
namespace {

Contender absent() {
  Line line{"Redis", ""};
  line.fault = "built without hiredis";
  return {std::move(line), nullptr};
}

}  // namespace

std::vector<Contender> redis_submits(const Plan& /*plan*/, unsigned /*producers*/, size_t /*payload_bytes*/) {
  return {absent()};
}
Contender redis_acknowledgement(const Plan& /*plan*/, size_t /*payload_bytes*/) { return absent(); }
Contender redis_to_handler(const Plan& /*plan*/) { return absent(); }

}  // namespace pqd::bench

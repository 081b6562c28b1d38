// In the place of redis.cpp where hiredis is not installed.
#include "tests/bench/redis.h"

namespace pqd::bench {
namespace {

Line absent() {
  Line line{"Redis", ""};
  line.fault = "built without hiredis";
  return line;
}

}  // namespace

std::vector<Line> measure_redis_submits(const Plan& /*plan*/, unsigned /*producers*/,
                                        size_t /*payload_bytes*/) {
  return {absent()};
}
Line measure_redis_acknowledgement(const Plan& /*plan*/, size_t /*payload_bytes*/) { return absent(); }
Line measure_redis_to_handler(const Plan& /*plan*/) { return absent(); }

}  // namespace pqd::bench

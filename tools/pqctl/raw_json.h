// A member's own text out of a JSON object, so that a payload reaches the consumer as it was written: parsing
// and printing again would change numbers that no double holds.
#pragma once

#include <string>
#include <string_view>

namespace pqd::ctl {

// The text of the last member `key`, without the white space between its tokens; "" when there is none.
// REQUIRES: `object` is one valid JSON object.
std::string raw_member(std::string_view object, std::string_view key);

}  // namespace pqd::ctl

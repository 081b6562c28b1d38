// "did you mean": the known word nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pqd::ctl {

// " (did you mean fifo?)", or "" when no candidate is near enough to be meant.
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace pqd::ctl

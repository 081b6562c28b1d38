// "did you mean", in the one form in which it is said. Any thread.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace pqd {

// " (did you mean fifo?)", or "" when nothing is meant.
std::string did_you_mean(std::string_view meant);

// The same of the candidate nearest to `word`; "" when none is near enough to be meant.
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);
inline std::string suggest(std::string_view word, std::initializer_list<std::string_view> candidates) {
  return suggest(word, std::span(candidates.begin(), candidates.size()));
}

}  // namespace pqd

// "did you mean": the known word nearest to a misspelt one. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace pqd {

// The candidate that the fewest edits (insert, drop, replace, swap of neighbours; capital letters count as
// small ones) lead to, or "" when none is near enough to be meant: a third of the word's length, at least
// one.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace pqd

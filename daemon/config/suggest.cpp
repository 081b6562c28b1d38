#include "daemon/config/suggest.h"

#include "daemon/config/nearest_word.h"

namespace pqd {

std::string did_you_mean(std::string_view meant) {
  return meant.empty() ? std::string() : " (did you mean " + std::string(meant) + "?)";
}

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  return did_you_mean(nearest_word(word, candidates));
}

}  // namespace pqd

#include "tools/pqctl/suggest.h"

#include "daemon/config/nearest_word.h"

namespace pqd::ctl {

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view best = nearest_word(word, candidates);
  return best.empty() ? std::string() : " (did you mean " + std::string(best) + "?)";
}

}  // namespace pqd::ctl

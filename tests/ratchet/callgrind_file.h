// What callgrind has written at one client request: who asked, and how many instructions each library took.
// The format is the manual's "Callgrind Format Specification". Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace pqd::ratchet {

struct CallgrindFile {
  std::string request;                        // the text of the request; "" = it was another occasion
  uint64_t total = 0;                         // as callgrind has summed it up
  std::map<std::string, uint64_t> by_object;  // path of program or library -> instructions of its own

  // Of all libraries whose file is called so: "libcrypto.so".
  uint64_t of_library(const std::string& name) const;
};

// Nothing: the parts do not add up to the total, so that something was misread.
std::optional<CallgrindFile> read_callgrind(const std::string& text);

}  // namespace pqd::ratchet

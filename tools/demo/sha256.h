// The work of the demonstration: the digest of a file.
#pragma once

#include <optional>
#include <string>

namespace pqd::demo {

// 64 hexadecimal digits in lower case; nothing when the file cannot be read.
std::optional<std::string> sha256_of_file(const std::string& path);

}  // namespace pqd::demo

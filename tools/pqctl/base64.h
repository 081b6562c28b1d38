// Base64 of RFC 4648 with padding: how bytes that are no text travel in JSON.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"

namespace pqd::ctl {

std::string base64(ByteView bytes);
// Nothing unless `text` is whole, padded Base64 without white space.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace pqd::ctl

#include "tools/pqctl/base64.h"

namespace pqd::ctl {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<uint32_t>(bytes[at + i]) : 0u);
    }
    for (size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[group >> (18 - 6 * i) & 0x3F] : '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  for (size_t at = 0; at < text.size(); at += 4) {
    const std::string_view quad = text.substr(at, 4);
    const size_t digits = quad.find('=') == std::string_view::npos ? 4 : quad.find('=');
    const bool last = at + 4 == text.size();
    if (digits < 2 || (digits < 4 && (!last || quad.find_first_not_of('=', digits) != quad.npos))) {
      return std::nullopt;
    }
    uint32_t group = 0;
    for (size_t i = 0; i < 4; ++i) {
      const size_t value = i < digits ? kDigits.find(quad[i]) : 0;
      if (value == std::string_view::npos) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(value);
    }
    for (size_t i = 0; i + 1 < digits; ++i) bytes += static_cast<char>(group >> (16 - 8 * i) & 0xFF);
  }
  return bytes;
}

}  // namespace pqd::ctl

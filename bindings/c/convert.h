// Between the C ABI's values and the client's. Views and pointers are passed on, nothing is owned here. Any
// thread.
#pragma once

#include <algorithm>
#include <cstring>

#include "bindings/c/pqd.h"
#include "bindings/cpp/client.h"

namespace pqd::c_abi {

inline std::string_view view_of(const char* text) { return text == nullptr ? std::string_view() : text; }
inline std::string_view view_of(const char* text, std::string_view otherwise) {
  return text == nullptr ? otherwise : text;
}
inline ByteView bytes_of(const void* data, size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes};
}
// Nothing there, and yet it is said to have bytes.
inline bool is_hollow(const void* data, size_t bytes) { return data == nullptr && bytes != 0; }
inline pqd_status status_of(Error error) { return static_cast<pqd_status>(error); }
inline Error error_of(pqd_status status) {
  const bool known = status >= PQD_OK && status <= PQD_SYSTEM_ERROR;
  return known ? static_cast<Error>(status) : Error::kSystemError;
}

pqd_id id_of(const JobId& id);
JobId id_of(const pqd_id& id);
pqd_ticket ticket_of(const Ticket& ticket);
Ticket ticket_of(const pqd_ticket& ticket);

// No version of any struct is larger: a size beyond it was never set, and nothing is read for it.
inline constexpr size_t kStructBytesMax = 4'096;

// A struct as its caller was compiled: what the caller's is shorter by stays at this library's default, what
// it is longer by must be zero. Nothing when it is not, or when the size cannot be.
template <class Sized>
std::optional<Sized> read_sized(const Sized& from, const Sized& defaults) {
  const size_t size = from.size;
  if (size < sizeof from.size || size > kStructBytesMax) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(&from);
  for (size_t i = sizeof(Sized); i < size; ++i) {
    if (bytes[i] != 0) return std::nullopt;
  }
  Sized value = defaults;
  std::memcpy(&value, &from, std::min(size, sizeof(Sized)));
  value.size = sizeof(Sized);
  return value;
}
// Fills as much as the caller has room for. False when the size cannot be.
template <class Sized>
bool write_sized(Sized value, Sized* to) {
  const size_t size = to->size;
  if (size < sizeof to->size || size > kStructBytesMax) return false;
  std::memcpy(to, &value, std::min(size, sizeof(Sized)));
  to->size = size;
  return true;
}

std::optional<ConnectOptions> connect_options_of(const pqd_connect_options& options);
// Nothing when the struct's size or a reserved field is wrong. The views point to where the caller's do.
std::optional<SubmitRequest> submit_request_of(const pqd_submit_options& options);
std::optional<ListFilter> list_filter_of(const pqd_list_options& options);

}  // namespace pqd::c_abi

// Why the store could not do what it was asked. `fatal`: nothing more may be acknowledged, the process has to
// end and recover; an fsync is never tried again.
#pragma once

#include <expected>
#include <string>

#include "core/error.h"

namespace pqd {

struct StoreError {
  Error code = Error::kSystemError;
  std::string text;
  bool fatal = true;
};

template <class T>
using StoreResult = std::expected<T, StoreError>;

}  // namespace pqd

// Why there is no engine, and whether the next one may fare better.
#pragma once

#include <expected>
#include <string>

#include "daemon/store/store_error.h"
#include "daemon/supervisor/engine_link.h"

namespace pqd {

struct StartFault {
  std::string text;  // "" = another partition cannot start, and says why
  int status = kEngineExitHalt;
};
using StartResult = std::expected<void, StartFault>;

// A full disk can be helped, another owner of the store may be on its way out.
inline StartFault fault_of(const StoreError& error) {
  switch (error.code) {
    case Error::kNoSpace:
      return {"NO_SPACE: " + error.text, kEngineExitLater};
    case Error::kUnavailable:
      return {error.text, kEngineExitRestart};
    default:
      return {error.text, kEngineExitHalt};
  }
}

}  // namespace pqd

// Faults that campaigns plant to see that they would find them. They exist in the copies of sources alone
// that tests/sim and tests/crash compile with PQD_CANARIES; everywhere else each is the constant false and
// leaves nothing behind.
#pragma once

#include <string_view>

#ifdef PQD_CANARIES
namespace pqd {
bool canary_planted(std::string_view name);
}
#define PQD_CANARY(name) ::pqd::canary_planted(name)
#else
#define PQD_CANARY(name) false
#endif

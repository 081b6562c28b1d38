// What the supervisor's child looks up and calls.
#include "daemon/engine/engine.h"

extern "C" __attribute__((visibility("default"))) int pqd_engine_main(const pqd::EngineArgs* args) {
  return args->version == pqd::kEngineLinkVersion ? pqd::run_engine(*args) : pqd::kEngineExitHalt;
}

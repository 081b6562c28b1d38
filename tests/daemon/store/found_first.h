// Which library the dynamic linker finds a symbol in, as RocksDB's own calls see it.
#pragma once

#include <dlfcn.h>

#include <string>

namespace pqd::test {

// In the whole program's scope, by the symbol's mangled name; "" = nowhere.
inline std::string library_of(const char* symbol) {
  void* const found = ::dlsym(RTLD_DEFAULT, symbol);
  Dl_info where{};
  return found != nullptr && ::dladdr(found, &where) != 0 ? where.dli_fname : "";
}

}  // namespace pqd::test

#include "sandbox/host/life.h"

int main(int argc, char **argv) {
    return tr_life_run(argc, argv);
}

import Mustache
import Crypto

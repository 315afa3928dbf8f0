{ secrets: importstr '/etc/hostname' }
